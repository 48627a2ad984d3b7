#pragma once

#include <string_view>
#include <vector>

#include "judge/summary.h"
#include "record/run_record.h"
#include "report/output_files.h"

namespace sim::report {

struct RunFile {
  std::string_view name;
  std::string_view meaning;
};
// Every file that the folder of a run may hold.
const std::vector<RunFile>& run_files();

// The files of a run that its record and its summary become: summary.json, summary.txt, the tables as CSV and
// the histograms. REQUIRES: `record` is finished, and `summary` is its
void write_run_files(OutputFolder& output, const judge::Summary& summary, const record::RunRecord& record);

}  // namespace sim::report
