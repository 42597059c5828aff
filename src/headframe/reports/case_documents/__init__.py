"""Documents of a case: from the case file to a document model, and from there to a page and a PDF."""
