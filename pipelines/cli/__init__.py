"""Commands of the command line, by what they are for; `pipelines.cli.app` registers them."""
