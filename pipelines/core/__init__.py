"""Words and rules that need no file of ours, no network and no other room."""
