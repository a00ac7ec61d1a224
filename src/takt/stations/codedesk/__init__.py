"""`codedesk`: tickets worked at one repository that is never reset."""
