#pragma once

#include <string>

#include "base/printable.h"
#include "base/result.h"

namespace sim::app {

// Problems as compilers show them: place, message, the line, a caret, and what was probably meant.
//
//   checkout.yaml:14:5: error: unknown property "broker.sesion.timeout.ms" in cluster.config
//      14 |     broker.sesion.timeout.ms=9000
//         |     ^^^^^^^^^^^^^^^^^^^^^^^^      did you mean broker.session.timeout.ms?
std::string render_problems(const Problems& problems, bool color);

}  // namespace sim::app
