#!/usr/bin/env bash
# Solves the parts of an instance as a Slurm job array, one part a task:
#
#   stowplan split big.json --parts 8 -o parts
#   mkdir -p plans
#   job=$(sbatch --parsable --array=0-7 examples/scale_out/slurm.sh)
#   sbatch --dependency=afterok:"$job" --wrap 'stowplan merge big.json plans/part-*.json -o plan.json --output json'
#
# Everything is in the folder it is submitted from, which all machines see. A plan is
# written whole or not at all, so a task that is killed is simply run again; with the work
# limit (and time enough) it writes the same bytes.
#SBATCH --job-name=stowplan
#SBATCH --array=0-7
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=00:20:00
#SBATCH --requeue
#SBATCH --output=plans/part-%a.log
set -euo pipefail

part="part-${SLURM_ARRAY_TASK_ID:?this is for sbatch --array}.json"
exec "${STOWPLAN:-stowplan}" solve "parts/$part" \
    --method search --work-limit "${WORK_LIMIT:-20000000}" --time-limit 15m \
    --threads "${SLURM_CPUS_PER_TASK:-1}" --output json -o "plans/$part"
