"""Speak WeChat's server APIs: the only place that knows how WeChat words its answers.

Imports neither Django nor the sandbox; of the kernel only what imports no Django either. Where
things are:

- `client`: the calls, their retries and what a record of a call holds
- `transport`: one call over HTTP
- `answers`: bytes to typed answers
- `errors`: the exceptions, `errcodes`: which errcode raises which
- `catalogue`: what an errcode means to an operator and what to do about it
- `shapes`: loose checks of AppIDs, AppSecrets and codes
- `push`: what WeChat sends by itself, verified, decrypted and read
- `masking`: what may be kept and shown of a request, an answer and its error text
"""
