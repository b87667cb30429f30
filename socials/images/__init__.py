"""The talent's photo: picked among the accounts, downloaded, checked, kept, refreshed."""
