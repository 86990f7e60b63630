createuser --no-login reader
