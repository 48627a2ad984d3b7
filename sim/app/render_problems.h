#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sim::app {

// Problems as compilers show them: place, message, the line, a caret, and what was probably meant.
//
//   checkout.yaml:14:5: error: unknown property "broker.sesion.timeout.ms" in cluster.config
//      14 |     broker.sesion.timeout.ms=9000
//         |     ^^^^^^^^^^^^^^^^^^^^^^^^      did you mean broker.session.timeout.ms?
std::string render_problems(const Problems& problems, bool color);

// What comes from a file, as a terminal may be given it: control characters, and those that turn the
// direction of writing, are written out (\x1b) instead of being obeyed.
std::string printable(std::string_view text);

}  // namespace sim::app
