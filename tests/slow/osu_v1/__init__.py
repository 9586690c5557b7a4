"""Programs that make every call of a client of the osu! API v1, each client unmodified.

`PROGRAM SITE KEY QUESTIONS` prints JSON: the answers to each question, or `{"refused": "…"}` if the client raised
its error for a response that says no. Fields have the names that they have in test_osu_v1_clients.py.
"""
