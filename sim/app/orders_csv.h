#pragma once

#include "app/output_files.h"
#include "base/time.h"
#include "metrics/order_ledger.h"
#include "observe/names.h"
#include "observe/partition_map.h"

namespace sim::app {

// orders.csv: a row per order, in order of being placed. All stamps are nanoseconds of simulated time; an
// empty cell means that it never happened. The columns of a service carry its name.
void write_orders_csv(OutputFile& file, const metrics::OrderLedger& ledger, const observe::Names& names,
                      const observe::TopicNames& topics, Duration warmup);

}  // namespace sim::app
