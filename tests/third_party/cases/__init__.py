"""Functions of other libraries with an example each, by their full names; every file has those of some modules."""
