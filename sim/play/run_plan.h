#pragma once

#include "judge/summary.h"
#include "observe/names.h"
#include "record/run_record.h"
#include "scenario/scenario.h"

// What of a scenario its record and its verdict need to know.
namespace sim::play {

record::RecordSpec record_spec(const scenario::Scenario& scenario, const observe::Names& names);
judge::RunPlan run_plan(const scenario::Scenario& scenario);

}  // namespace sim::play
