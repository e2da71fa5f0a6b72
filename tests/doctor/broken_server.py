"""All the servers that are wrong in one thing each."""

import closing_faults
import deflate_faults
import framing_faults
import handshake_faults
import limits_faults
import offer_faults
import tls_faults

ALL = [fault for table in (tls_faults, handshake_faults, framing_faults, closing_faults, offer_faults, deflate_faults, limits_faults)
       for fault in table.FAULTS]
