#pragma once

#include <vector>

#include "judge/fault_report.h"
#include "judge/verdicts.h"
#include "record/run_record.h"
#include "report/output_files.h"

namespace sim::report {

// faults.csv: a row for each strike; a fault that did not strike has one without times.
void write_faults_csv(OutputFile& file, const std::vector<judge::FaultReport>& faults);

// groups.csv: a row for each thing that became of a group. Its coordinator (`node`) tells: rebalance (why
// they have to join anew stands under `reason`, whose doing it was under `member`), joining, syncing, stable,
// empty, unloaded (this broker coordinates it no more), left, expelled. Its members (`node`) tell: assigned
// (`partitions` is all they own from then on), revoked, lost (it was no member any more), stopped.
void write_groups_csv(OutputFile& file, const record::RunRecord& record);

// verdicts.csv: a row for each case.
void write_verdicts_csv(OutputFile& file, const std::vector<judge::OutcomeVerdict>& verdicts,
                        const record::RunRecord& record);

}  // namespace sim::report
