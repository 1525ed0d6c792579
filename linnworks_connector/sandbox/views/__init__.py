"""How the shop's records look in the API's answers. One module per kind of record; nothing here changes the shop."""
