"""What a remote object must look like: one declaration makes request, type, table and dictionary."""
