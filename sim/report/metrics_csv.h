#pragma once

#include "record/run_record.h"
#include "report/output_files.h"

namespace sim::report {

// metrics.csv: a row per simulated second, its end in `t_s`. Production names where production has one. The
// end-to-end percentiles are those of the orders intended in that second, whenever they ended; a percentile
// with fewer than three samples beyond it is left empty.
void write_metrics_csv(OutputFile& file, const record::RunRecord& record);

}  // namespace sim::report
