#!/bin/sh
# Slurm on this machine alone, to try slurm.sh: needs root and Debian's slurm-wlm and munge. Everything lies in FOLDER:
#
#   scenarios/at-scale/slurm-here.sh start FOLDER       then: export SLURM_CONF=FOLDER/slurm.conf
#   scenarios/at-scale/slurm-here.sh stop FOLDER
set -eu
case ${1:-} in start | stop) ;; *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;; esac
mkdir -p "$2"
folder=$(cd "$2" && pwd)

if [ "$1" = stop ]; then
  for name in slurmd slurmctld munged; do
    [ ! -f "$folder/$name.pid" ] || kill "$(cat "$folder/$name.pid")" 2>/dev/null || true
  done
  exit 0
fi

mkdir -p "$folder/munge" "$folder/state" "$folder/spool"
chmod 700 "$folder/munge"
[ -f "$folder/munge/key" ] || (umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munged.pid" \
  --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"

host=$(hostname -s)
memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
cat >"$folder/slurm.conf" <<END
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=here Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$folder/slurm.conf"
slurmctld
slurmd
echo "export SLURM_CONF=$SLURM_CONF"
