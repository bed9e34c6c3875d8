"""May it go? One question a file; gates do not know each other."""
