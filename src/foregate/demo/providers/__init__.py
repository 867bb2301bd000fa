"""Doubles of WeChat and Alipay: a program of its own, with pages to confirm on and the web services behind them.

    python -m foregate.demo.providers --port 8001 --folder FOLDER

They behave as the real ones do, down to their odd errors, so that clients written for those accept them. Whoever
tests can make them slow, busy, dead, or dishonest: POST /double with {"provider": "wechat", "mode": "busy"}.
"""
