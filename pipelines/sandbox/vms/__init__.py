"""The VMS, a stand-in for Dataloy."""
