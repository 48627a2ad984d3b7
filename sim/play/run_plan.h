#pragma once

#include <string>

#include "judge/summary.h"
#include "observe/names.h"
#include "record/run_record.h"
#include "scenario/scenario.h"

// What of a scenario its record and its verdict need to know.
namespace sim::play {

record::RecordSpec record_spec(const scenario::Scenario& scenario, const observe::Names& names);
// Files and verdicts do not depend on where they were made: a scenario, or a line of it, by its name alone.
std::string file_name_of(const std::string& file);
judge::RunPlan run_plan(const scenario::Scenario& scenario);

}  // namespace sim::play
