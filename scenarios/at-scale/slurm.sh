#!/bin/sh
# A sweep as a job array of Slurm, a task for each shard:
#
#   sbatch --wait --array=1-8 scenarios/at-scale/slurm.sh runs/at-scale scenarios/chaos.yaml 1-10000
#   kraftsim merge runs/at-scale/shard-* --out runs/at-scale/whole
#
# The folder must be one that all nodes see. KRAFTSIM names the program, if it is not on the nodes' PATH.
#SBATCH --job-name=kraftsim
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=400M
#SBATCH --output=/dev/null
#SBATCH --requeue
set -eu
folder=$1 scenario=$2 seeds=$3
shift 3
# Slurm runs a copy of this file: its neighbour is found from where the job was handed in.
export JOBS="${SLURM_CPUS_PER_TASK:-1}"
exec "${SLURM_SUBMIT_DIR:-.}/scenarios/at-scale/shard.sh" "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" "$folder" "$scenario" "$seeds" "$@"
