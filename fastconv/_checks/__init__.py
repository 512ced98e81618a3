"""What raises for a user: arguments, arrays, shapes; and the types that they have."""
