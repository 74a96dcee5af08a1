"""What is printed where: stdout holds the answer, stderr everything else. Importing it is free."""
