#!/bin/bash
# Inside of the machine: runs what comes in by its port from the host. A line is a script and what the
# script reads, each in base64; the answer is a line with the status and what was printed, in base64.
exec 3<>/dev/virtio-ports/trunkline || exit
echo ready >&3
while read -r script input <&3; do
  base64 --decode <<<"$input" >/run/commands.in
  bash -euc "$(base64 --decode <<<"$script")" </run/commands.in >/run/commands.out 2>&1 3>&-
  echo "$? $(base64 --wrap=0 /run/commands.out)" >&3
done
