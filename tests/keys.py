"""The key that only the tests use. It is public and protects nothing."""

import base64

RAW_TEST_KEY = b"the key that only the tests use!"
TEST_KEY = base64.urlsafe_b64encode(RAW_TEST_KEY).decode()
