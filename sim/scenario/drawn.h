#pragma once

#include <string>
#include <vector>

#include "fault/fault.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"

// What a scenario leaves to chance, drawn from its seed and written out: after that it says what happens, and
// runs by itself.
namespace sim::scenario {

// Takes `vary` out of the tree and puts in its place one of the values it offers for each key; what an
// override sets is not varied. REQUIRES: root is a map, and has not been walked
void draw_variations(Value& root, const std::vector<Override>& overrides, Report& report);

// Takes `chaos` out and adds the faults it draws. False if there is none. REQUIRES: root has been completed
bool draw_chaos(Value& root, Report& report);

// A fault with `when` and without `at` waits from the beginning. REQUIRES: root is a map
void wait_from_the_start(Value& root);

// "append(orders-0)", "lag(payment) > 5s"; nullopt, and why not.
std::optional<fault::Condition> read_when(std::string_view text, std::string& why_not);

}  // namespace sim::scenario
