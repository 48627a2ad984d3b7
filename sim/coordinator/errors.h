#pragma once

#include "protocol/error_code.h"

namespace sim::coordinator {

// What a client hears of a write that failed with this error of the log
// (CoordinatorOperationExceptionHelper): an error that sends it to the next coordinator, or lets it try
// again.
ErrorCode told_to_client(ErrorCode error);

}  // namespace sim::coordinator
