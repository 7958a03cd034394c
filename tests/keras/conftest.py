"""The scripts are not test modules."""

collect_ignore_glob = ["scripts/*"]
