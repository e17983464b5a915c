"""The API, one file for each view: what may be asked, within which bounds, and what comes back."""
