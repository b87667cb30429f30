"""What an agency sells on: audience, growth, engagement, best posts, each with where it is from."""
