"""What people read: pages, spreadsheets and tables made from results; nothing is solved here."""
