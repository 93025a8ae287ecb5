// Original file: coordinator.proto

export const COORDINATOR_DESCRIPTOR: object = {
  "nested": {
    "stevedore": {
      "nested": {
        "v1": {
          "nested": {
            "Coordinator": {
              "methods": {
                "Session": {
                  "requestType": "AgentMessage",
                  "requestStream": true,
                  "responseType": "ControllerMessage",
                  "responseStream": true
                },
                "Overview": {
                  "requestType": "OverviewRequest",
                  "responseType": "ClusterOverview"
                }
              }
            },
            "AgentMessage": {
              "oneofs": {
                "message": {
                  "oneof": [
                    "hello",
                    "heartbeat",
                    "slots",
                    "shares"
                  ]
                }
              },
              "fields": {
                "hello": {
                  "type": "Hello",
                  "id": 1
                },
                "heartbeat": {
                  "type": "Heartbeat",
                  "id": 2
                },
                "slots": {
                  "type": "SlotReport",
                  "id": 3
                },
                "shares": {
                  "type": "SharesInForce",
                  "id": 4
                }
              }
            },
            "ControllerMessage": {
              "oneofs": {
                "message": {
                  "oneof": [
                    "welcome",
                    "slots",
                    "shares",
                    "drain",
                    "preCopies"
                  ]
                }
              },
              "fields": {
                "welcome": {
                  "type": "Welcome",
                  "id": 1
                },
                "slots": {
                  "type": "SlotAnswer",
                  "id": 2
                },
                "shares": {
                  "type": "BandwidthShares",
                  "id": 3
                },
                "drain": {
                  "type": "Drain",
                  "id": 4
                },
                "preCopies": {
                  "type": "PreCopies",
                  "id": 5
                }
              }
            },
            "Hello": {
              "fields": {
                "node": {
                  "type": "string",
                  "id": 1
                },
                "version": {
                  "type": "string",
                  "id": 2
                },
                "wireVersion": {
                  "type": "uint32",
                  "id": 3
                },
                "capabilities": {
                  "rule": "repeated",
                  "type": "string",
                  "id": 4
                },
                "session": {
                  "type": "uint64",
                  "id": 5
                }
              }
            },
            "Welcome": {
              "fields": {
                "version": {
                  "type": "string",
                  "id": 1
                },
                "wireVersion": {
                  "type": "uint32",
                  "id": 2
                },
                "capabilities": {
                  "rule": "repeated",
                  "type": "string",
                  "id": 3
                },
                "leaseMs": {
                  "type": "uint32",
                  "id": 4
                },
                "reportMs": {
                  "type": "uint32",
                  "id": 5
                }
              }
            },
            "Heartbeat": {
              "oneofs": {
                "_diskFreeBytes": {
                  "oneof": [
                    "diskFreeBytes"
                  ]
                }
              },
              "fields": {
                "diskFreeBytes": {
                  "type": "uint64",
                  "id": 1,
                  "options": {
                    "proto3_optional": true
                  }
                },
                "cache": {
                  "type": "Cache",
                  "id": 2
                },
                "memory": {
                  "type": "Memory",
                  "id": 3
                },
                "moves": {
                  "rule": "repeated",
                  "type": "MoveProgress",
                  "id": 4
                },
                "failed": {
                  "rule": "repeated",
                  "type": "FailedMove",
                  "id": 5
                }
              },
              "nested": {
                "Cache": {
                  "oneofs": {
                    "_reservedBytes": {
                      "oneof": [
                        "reservedBytes"
                      ]
                    },
                    "_evictionLineBytes": {
                      "oneof": [
                        "evictionLineBytes"
                      ]
                    }
                  },
                  "fields": {
                    "limitBytes": {
                      "type": "uint64",
                      "id": 1
                    },
                    "usedBytes": {
                      "type": "uint64",
                      "id": 2
                    },
                    "reservedBytes": {
                      "type": "uint64",
                      "id": 3,
                      "options": {
                        "proto3_optional": true
                      }
                    },
                    "evictionLineBytes": {
                      "type": "uint64",
                      "id": 4,
                      "options": {
                        "proto3_optional": true
                      }
                    }
                  }
                },
                "Memory": {
                  "oneofs": {
                    "_limitBytes": {
                      "oneof": [
                        "limitBytes"
                      ]
                    }
                  },
                  "fields": {
                    "usedBytes": {
                      "type": "uint64",
                      "id": 1
                    },
                    "limitBytes": {
                      "type": "uint64",
                      "id": 2,
                      "options": {
                        "proto3_optional": true
                      }
                    }
                  }
                }
              }
            },
            "MoveProgress": {
              "oneofs": {
                "_totalBytes": {
                  "oneof": [
                    "totalBytes"
                  ]
                },
                "_doneBytesPerSecond": {
                  "oneof": [
                    "doneBytesPerSecond"
                  ]
                }
              },
              "fields": {
                "id": {
                  "type": "string",
                  "id": 1
                },
                "kind": {
                  "type": "string",
                  "id": 2
                },
                "doneBytes": {
                  "type": "uint64",
                  "id": 3
                },
                "totalBytes": {
                  "type": "uint64",
                  "id": 4,
                  "options": {
                    "proto3_optional": true
                  }
                },
                "uploadBytesPerSecond": {
                  "type": "uint64",
                  "id": 5
                },
                "downloadBytesPerSecond": {
                  "type": "uint64",
                  "id": 6
                },
                "doneBytesPerSecond": {
                  "type": "uint64",
                  "id": 7,
                  "options": {
                    "proto3_optional": true
                  }
                }
              }
            },
            "FailedMove": {
              "fields": {
                "id": {
                  "type": "string",
                  "id": 1
                },
                "move": {
                  "type": "string",
                  "id": 2
                },
                "namespace": {
                  "type": "string",
                  "id": 3
                },
                "pod": {
                  "type": "string",
                  "id": 4
                },
                "volumeName": {
                  "type": "string",
                  "id": 5
                },
                "phase": {
                  "type": "string",
                  "id": 6
                },
                "code": {
                  "type": "string",
                  "id": 7
                },
                "message": {
                  "type": "string",
                  "id": 8
                },
                "endedAgoMs": {
                  "type": "uint64",
                  "id": 9
                }
              }
            },
            "SlotReport": {
              "fields": {
                "sequence": {
                  "type": "uint64",
                  "id": 1
                },
                "epoch": {
                  "type": "uint64",
                  "id": 2
                },
                "sentAtMs": {
                  "type": "double",
                  "id": 3
                },
                "slotsMax": {
                  "type": "uint32",
                  "id": 4
                },
                "requests": {
                  "rule": "repeated",
                  "type": "SlotRequest",
                  "id": 5
                },
                "holds": {
                  "rule": "repeated",
                  "type": "SlotHold",
                  "id": 6
                }
              }
            },
            "SlotVolume": {
              "fields": {
                "id": {
                  "type": "string",
                  "id": 1
                },
                "namespace": {
                  "type": "string",
                  "id": 2
                },
                "pod": {
                  "type": "string",
                  "id": 3
                },
                "storageClass": {
                  "type": "string",
                  "id": 4
                },
                "location": {
                  "type": "string",
                  "id": 5
                },
                "gang": {
                  "type": "Gang",
                  "id": 6
                },
                "move": {
                  "type": "string",
                  "id": 7
                },
                "volumeName": {
                  "type": "string",
                  "id": 8
                }
              },
              "nested": {
                "Gang": {
                  "oneofs": {
                    "_count": {
                      "oneof": [
                        "count"
                      ]
                    }
                  },
                  "fields": {
                    "key": {
                      "type": "string",
                      "id": 1
                    },
                    "count": {
                      "type": "uint32",
                      "id": 2,
                      "options": {
                        "proto3_optional": true
                      }
                    }
                  }
                }
              }
            },
            "SlotRequest": {
              "fields": {
                "volume": {
                  "type": "SlotVolume",
                  "id": 1
                },
                "number": {
                  "type": "uint64",
                  "id": 2
                },
                "priority": {
                  "type": "uint32",
                  "id": 3
                },
                "waitedMs": {
                  "type": "uint64",
                  "id": 4
                }
              }
            },
            "SlotHold": {
              "fields": {
                "volume": {
                  "type": "SlotVolume",
                  "id": 1
                },
                "number": {
                  "type": "uint64",
                  "id": 2
                },
                "grant": {
                  "type": "GrantSerial",
                  "id": 3
                },
                "alone": {
                  "type": "bool",
                  "id": 4
                }
              }
            },
            "GrantSerial": {
              "fields": {
                "epoch": {
                  "type": "uint64",
                  "id": 1
                },
                "serial": {
                  "type": "uint64",
                  "id": 2
                }
              }
            },
            "SlotAnswer": {
              "fields": {
                "session": {
                  "type": "uint64",
                  "id": 1
                },
                "epoch": {
                  "type": "uint64",
                  "id": 2
                },
                "number": {
                  "type": "uint64",
                  "id": 3
                },
                "heard": {
                  "type": "Heard",
                  "id": 4
                },
                "grants": {
                  "rule": "repeated",
                  "type": "SlotGrant",
                  "id": 5
                },
                "revoked": {
                  "rule": "repeated",
                  "type": "Revocation",
                  "id": 6
                },
                "waits": {
                  "rule": "repeated",
                  "type": "SlotWait",
                  "id": 7
                }
              },
              "nested": {
                "Heard": {
                  "fields": {
                    "sequence": {
                      "type": "uint64",
                      "id": 1
                    },
                    "sentAtMs": {
                      "type": "double",
                      "id": 2
                    }
                  }
                }
              }
            },
            "SlotGrant": {
              "oneofs": {
                "reason": {
                  "oneof": [
                    "turn",
                    "overdue",
                    "gang",
                    "wave"
                  ]
                }
              },
              "fields": {
                "grant": {
                  "type": "GrantSerial",
                  "id": 1
                },
                "id": {
                  "type": "string",
                  "id": 2
                },
                "number": {
                  "type": "uint64",
                  "id": 3
                },
                "turn": {
                  "type": "Turn",
                  "id": 4
                },
                "overdue": {
                  "type": "Overdue",
                  "id": 5
                },
                "gang": {
                  "type": "WholeGang",
                  "id": 6
                },
                "wave": {
                  "type": "Wave",
                  "id": 7
                }
              },
              "nested": {
                "Turn": {
                  "fields": {
                    "priority": {
                      "type": "uint32",
                      "id": 1
                    }
                  }
                },
                "Overdue": {
                  "fields": {
                    "waitedMs": {
                      "type": "uint64",
                      "id": 1
                    }
                  }
                },
                "WholeGang": {
                  "fields": {
                    "gang": {
                      "type": "string",
                      "id": 1
                    },
                    "count": {
                      "type": "uint32",
                      "id": 2
                    }
                  }
                },
                "Wave": {
                  "fields": {
                    "gang": {
                      "type": "string",
                      "id": 1
                    },
                    "wave": {
                      "type": "uint32",
                      "id": 2
                    },
                    "count": {
                      "type": "uint32",
                      "id": 3
                    },
                    "leftCount": {
                      "type": "uint32",
                      "id": 4
                    }
                  }
                }
              }
            },
            "SlotWait": {
              "fields": {
                "id": {
                  "type": "string",
                  "id": 1
                },
                "place": {
                  "type": "uint32",
                  "id": 2
                },
                "cause": {
                  "type": "Cause",
                  "id": 3
                },
                "limit": {
                  "type": "Limit",
                  "id": 4
                }
              },
              "nested": {
                "Cause": {
                  "values": {
                    "CAUSE_UNSPECIFIED": 0,
                    "FULL": 1,
                    "KEPT": 2,
                    "STOPPED": 3,
                    "GATHERING": 4,
                    "STARTING": 5,
                    "NEXT": 6
                  }
                },
                "Limit": {
                  "fields": {
                    "kind": {
                      "type": "string",
                      "id": 1
                    },
                    "name": {
                      "type": "string",
                      "id": 2
                    }
                  }
                }
              }
            },
            "Revocation": {
              "fields": {
                "id": {
                  "type": "string",
                  "id": 1
                }
              }
            },
            "BandwidthShares": {
              "fields": {
                "upload": {
                  "type": "Share",
                  "id": 1
                },
                "download": {
                  "type": "Share",
                  "id": 2
                }
              }
            },
            "Share": {
              "oneofs": {
                "_bytesPerSecond": {
                  "oneof": [
                    "bytesPerSecond"
                  ]
                }
              },
              "fields": {
                "number": {
                  "type": "uint64",
                  "id": 1
                },
                "bytesPerSecond": {
                  "type": "uint64",
                  "id": 2,
                  "options": {
                    "proto3_optional": true
                  }
                }
              }
            },
            "SharesInForce": {
              "fields": {
                "upload": {
                  "type": "Share",
                  "id": 1
                },
                "download": {
                  "type": "Share",
                  "id": 2
                }
              }
            },
            "Drain": {
              "fields": {
                "active": {
                  "type": "bool",
                  "id": 1
                },
                "reason": {
                  "type": "string",
                  "id": 2
                }
              }
            },
            "PreCopies": {
              "fields": {
                "volumes": {
                  "rule": "repeated",
                  "type": "PreCopy",
                  "id": 1
                }
              }
            },
            "PreCopy": {
              "fields": {
                "namespace": {
                  "type": "string",
                  "id": 1
                },
                "pod": {
                  "type": "string",
                  "id": 2
                },
                "podUid": {
                  "type": "string",
                  "id": 3
                },
                "volumeName": {
                  "type": "string",
                  "id": 4
                },
                "location": {
                  "type": "string",
                  "id": 5
                },
                "dueMs": {
                  "type": "uint64",
                  "id": 6
                },
                "leftMs": {
                  "type": "uint64",
                  "id": 7
                },
                "claim": {
                  "type": "string",
                  "id": 8
                }
              }
            },
            "OverviewRequest": {
              "fields": {}
            },
            "ClusterOverview": {
              "fields": {
                "version": {
                  "type": "string",
                  "id": 1
                },
                "leader": {
                  "type": "string",
                  "id": 2
                },
                "epoch": {
                  "type": "uint64",
                  "id": 3
                },
                "starting": {
                  "type": "bool",
                  "id": 4
                },
                "waitingCount": {
                  "type": "uint32",
                  "id": 5
                },
                "waiting": {
                  "rule": "repeated",
                  "type": "WaitingMove",
                  "id": 6
                },
                "runningCount": {
                  "type": "uint32",
                  "id": 7
                },
                "running": {
                  "rule": "repeated",
                  "type": "RunningMove",
                  "id": 8
                },
                "nodes": {
                  "rule": "repeated",
                  "type": "NodeOverview",
                  "id": 9
                },
                "slotsMax": {
                  "type": "uint32",
                  "id": 10
                },
                "upload": {
                  "type": "RateOverview",
                  "id": 11
                },
                "download": {
                  "type": "RateOverview",
                  "id": 12
                }
              }
            },
            "WaitingMove": {
              "fields": {
                "volume": {
                  "type": "SlotVolume",
                  "id": 1
                },
                "priority": {
                  "type": "uint32",
                  "id": 2
                },
                "waitedMs": {
                  "type": "uint64",
                  "id": 3
                },
                "wait": {
                  "type": "SlotWait",
                  "id": 4
                },
                "keptFor": {
                  "type": "string",
                  "id": 5
                },
                "nodes": {
                  "rule": "repeated",
                  "type": "string",
                  "id": 6
                }
              }
            },
            "RunningMove": {
              "fields": {
                "volume": {
                  "type": "SlotVolume",
                  "id": 1
                },
                "node": {
                  "type": "string",
                  "id": 2
                },
                "runningMs": {
                  "type": "uint64",
                  "id": 3
                },
                "grant": {
                  "type": "SlotGrant",
                  "id": 4
                },
                "progress": {
                  "type": "MoveProgress",
                  "id": 5
                }
              }
            },
            "NodeOverview": {
              "fields": {
                "name": {
                  "type": "string",
                  "id": 1
                },
                "connected": {
                  "type": "bool",
                  "id": 2
                },
                "version": {
                  "type": "string",
                  "id": 3
                },
                "connectedMs": {
                  "type": "uint64",
                  "id": 4
                },
                "slotsUsed": {
                  "type": "uint32",
                  "id": 5
                },
                "slotsMax": {
                  "type": "uint32",
                  "id": 6
                },
                "waitingCount": {
                  "type": "uint32",
                  "id": 7
                },
                "heartbeat": {
                  "type": "Heartbeat",
                  "id": 8
                },
                "shares": {
                  "type": "BandwidthShares",
                  "id": 9
                }
              }
            },
            "RateOverview": {
              "oneofs": {
                "_limit": {
                  "oneof": [
                    "limit"
                  ]
                },
                "_given": {
                  "oneof": [
                    "given"
                  ]
                }
              },
              "fields": {
                "limit": {
                  "type": "uint64",
                  "id": 1,
                  "options": {
                    "proto3_optional": true
                  }
                },
                "given": {
                  "type": "uint64",
                  "id": 2,
                  "options": {
                    "proto3_optional": true
                  }
                },
                "used": {
                  "type": "uint64",
                  "id": 3
                }
              }
            }
          }
        }
      }
    }
  }
};
