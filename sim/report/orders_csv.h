#pragma once

#include "base/time.h"
#include "record/run_record.h"
#include "report/output_files.h"

namespace sim::report {

// orders.csv: a row per order, in order of being placed. All stamps are nanoseconds of simulated time; an
// empty cell means that it never happened. The columns of a service carry its name.
void write_orders_csv(OutputFile& file, const record::RunRecord& record, Duration warmup);

}  // namespace sim::report
