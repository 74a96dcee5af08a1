"""The operations that strategies are composed of, on chains, trees and graphs of nodes."""
