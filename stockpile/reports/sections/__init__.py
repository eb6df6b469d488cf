"""The sections of a report; each is one question that its reader has."""
