"""What PHP and MySQL make of text, JSON and a multipart body."""
