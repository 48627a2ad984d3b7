#pragma once

#include <vector>

#include "protocol/metadata_records.h"

namespace sim::controller {

// What the controller makes of a request: records to be written, and the answer once they are committed.
template <class Answer>
struct Decision {
  std::vector<MetadataRecord> records{};
  Answer answer{};
};

}  // namespace sim::controller
