"""What a container's tables of connections tell of whom it waits for."""

from __future__ import annotations

from localep.operations.failures.connections import clients_that_left, unanswered

# Of a container whose script connects; the second table is of a machine with addresses of both.
TABLES = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B00007F:9E6B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 15453665
   1: 00000000:1389 00000000:0000 0A 00000000:00000004 00:00000000 00000000     0        0 15455295
   2: 020012AC:DE6A 010011AC:B3AF 02 00000001:00000000 01:0000002D 00000000     0        0 15454748
   3: 020012AC:DE6C 010011AC:B3AF 02 00000001:00000000 01:0000002D 00000000     0        0 15454749
   4: 0100007F:DE6B 0100007F:B3AF 02 00000001:00000000 01:0000002D 00000000     0        0 15454750
   5: 020012AC:1389 030012AC:87C0 01 00000000:000000B4 00:00000000 00000000     0        0 0
  sl  local_address                         remote_address                        st tx_queue
   0: B80D0120000000000000000001000000:DE6A B80D0120000000000000000002000000:01BB 02 00000001
   1: 0000000000000000FFFF0000020012AC:DE6A 0000000000000000FFFF0000070200C0:0050 02 00000001
"""


def test_those_that_have_not_answered_are_named_once_and_this_machine_is_not() -> None:
    assert unanswered(TABLES) == ["172.17.0.1:45999", "[2001:db8::2]:443", "192.0.2.7:80"]


def test_those_that_have_closed_are_counted_by_the_port_that_they_came_to() -> None:
    closed = TABLES.replace("030012AC:87C0 01 ", "030012AC:87C0 08 ")

    assert [clients_that_left(closed, port) for port in (5001, 8080)] == [1, 0]
    assert clients_that_left(TABLES, 5001) == 0


def test_without_tables_nobody_is_waited_for() -> None:
    assert unanswered("cat: not found") == []
