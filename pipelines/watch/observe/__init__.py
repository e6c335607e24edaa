"""What others look at: health for a load balancer and for `status`, metrics for Prometheus."""
