#pragma once

#include <string>

namespace sim::app {

// The JSON Schema (draft-07) of scenarios, for editors: made of the same tables the loader reads.
std::string json_schema();

}  // namespace sim::app
