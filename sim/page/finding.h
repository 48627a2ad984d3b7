#pragma once

#include <string>

#include "page/documents.h"

namespace sim::page {

// What there is to know first of a run, in a sentence or two: whether it showed what it was to show, what
// became of the orders, and why.
std::string finding_of_run(const Documents& run);

// An expectation in words: "99 % of e2e_latency while steady".
std::string words_of_expectation(const Json& expectation);
// In its unit: "70.9 ms", "1 641"; empty if nothing was measured.
std::string measured_value(const Json& expectation);

}  // namespace sim::page
