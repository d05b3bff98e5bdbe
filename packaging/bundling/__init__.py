"""How the app is put into one folder, and how that folder is looked over. Runs at build time only."""
