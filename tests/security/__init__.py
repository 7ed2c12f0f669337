"""Attacks of TUF's and Uptane's lists against the real device code, one file each; each takes a defence out once and sees the attack succeed."""
