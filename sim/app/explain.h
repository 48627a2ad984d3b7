#pragma once

#include <string>

#include "base/result.h"

namespace sim::app {

// What a key of a scenario (clients.payment.commit) or a Kafka property (linger.ms) means, its default and
// its range; an overview of all keys without a topic. Fails, with the nearest word, if there is no such
// thing.
Result<std::string> explain(const std::string& topic);

}  // namespace sim::app
