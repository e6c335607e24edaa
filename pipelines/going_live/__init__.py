"""What must be right before going live, one line each: `springline check`."""

from pipelines.going_live.check import check_readiness, show_readiness
from pipelines.going_live.line import Line

__all__ = ["Line", "check_readiness", "show_readiness"]
