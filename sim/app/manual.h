#pragma once

#include <string>

namespace sim::app {

// kraftsim(1) in scdoc's language, from the options themselves.
std::string manual_page();

}  // namespace sim::app
