#pragma once

#include <vector>

#include "judge/fault_report.h"
#include "judge/verdicts.h"
#include "record/run_record.h"
#include "report/output_files.h"

namespace sim::report {

// faults.csv: a row for each strike; a fault that did not strike has one without times.
void write_faults_csv(OutputFile& file, const std::vector<judge::FaultReport>& faults);

// verdicts.csv: a row for each case.
void write_verdicts_csv(OutputFile& file, const std::vector<judge::OutcomeVerdict>& verdicts,
                        const record::RunRecord& record);

}  // namespace sim::report
