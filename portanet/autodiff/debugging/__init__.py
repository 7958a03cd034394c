"""Are derivatives right, and where is one wrong? For tests, and for looking inside."""
