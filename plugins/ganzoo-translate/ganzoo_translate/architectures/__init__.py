"""Networks that translate, and those that judge them."""
