"""What a proof tries: one family of controls a module. To add a control is to add an entry to one of them."""
