"""APIs of other libraries on top of portanet."""
