import { asText } from '../as-text.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { messageText, type ResponseMessage } from './messages.ts';
import type { Questions } from './running.ts';

export interface OpenQuestions extends Questions {
  /** False when nothing like it was asked. */
  answer(message: ResponseMessage): boolean;
  /** Rejects all that are open. */
  end(reason: string): void;
}

interface Open {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** What one client is asked; ids of ours (`s1`, `s2` …) never meet the client's own. */
export function createQuestions(): OpenQuestions {
  const open = new Map<string, Open>();
  let asked = 0;
  return {
    ask: (method, params, outlet, signal) => {
      if (!outlet.reachable()) {
        const why = `The client accepts no event stream, so it can't be asked ${method}.`;
        return Promise.reject(new RpcError(RPC.internalError, why));
      }
      if (signal.aborted) return Promise.reject(signal.reason);
      asked += 1;
      const id = `s${asked}`;
      return new Promise((resolve, reject) => {
        const withdraw = () => {
          open.delete(id);
          outlet.tell(
            messageText('notifications/cancelled', { requestId: id, reason: 'No answer is needed any more.' }),
          );
          reject(signal.reason);
        };
        const done = () => {
          open.delete(id);
          signal.removeEventListener('abort', withdraw);
        };
        signal.addEventListener('abort', withdraw, { once: true });
        open.set(id, {
          resolve: (result) => {
            done();
            resolve(result);
          },
          reject: (error) => {
            done();
            reject(error);
          },
        });
        outlet.tell(messageText(method, params, id), true);
      });
    },
    answer: ({ id, result, error }) => {
      const question = open.get(String(id));
      if (question === undefined) return false;
      if (error === undefined) question.resolve(result);
      else question.reject(new RpcError(error.code, asText(error.message), error.data));
      return true;
    },
    end: (reason) => {
      for (const question of [...open.values()]) question.reject(new RpcError(RPC.internalError, reason));
    },
  };
}
