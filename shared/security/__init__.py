"""Who is calling: access tokens, the principal they name, and what services sign in with."""
