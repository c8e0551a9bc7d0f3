"""The client of WeChat's server APIs: the only package that knows WeChat's formats.

Imports neither Django nor the sandbox; of the kernel only modules without Django. The modules:

- `client`: the calls, their retries and their records
- `transport`: one call over HTTP
- `answers`: bytes to typed answers
- `errors`: the exceptions, `errcodes`: which errcode raises which
- `catalogue`: the meaning of each errcode and its remedy, for operators
- `shapes`: loose checks of AppIDs, AppSecrets and codes
- `push`: WeChat's message push, verified, decrypted and parsed
- `masking`: what may be stored and shown of a request, an answer and its error text
"""
